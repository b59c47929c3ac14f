"""Donors: what they declare and what binds it, what the host answers, and who verifies what arrived."""
