"""PostgreSQL and blobs behind ports."""
