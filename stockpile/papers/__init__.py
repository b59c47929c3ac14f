"""What a printed paper says, read from the books: one file a paper. How it looks stands in `labels/`."""
