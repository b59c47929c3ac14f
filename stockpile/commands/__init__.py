"""The commands of `stockpile`, one module a subject. Each calls one function of the domain and shows what it says."""
