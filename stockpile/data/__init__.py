"""The project's own data, as files read by `stockpile.catalogue_data`: never opened by path, so they work
from a wheel.
"""
