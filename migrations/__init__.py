"""Alembic's migrations; they never rewrite the bytes of a leaf."""
