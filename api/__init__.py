"""The web: routes, pages and what they share. A route calls one function of the domain and shapes its answer."""
