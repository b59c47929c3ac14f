"""The published failures run again: each episode's records as files, through the ordinary import, comparison and reports."""
