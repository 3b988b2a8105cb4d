"""What images are, read from their headers, and having them converted."""
