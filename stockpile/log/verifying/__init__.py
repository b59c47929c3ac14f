"""The checks of `stockpile verify`, a file a subject. Each is a question to the rows, and what its answer says in words that an
auditor can quote; none writes anything.
"""
