"""Cases: what somebody looks into because the books and the world do not agree, with everything that was found, until two people end
it. A case moves no weapon and changes no row of the ledger.
"""
