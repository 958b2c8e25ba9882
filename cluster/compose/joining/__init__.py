"""Several files to one tree: documents, `include`, `extends`, and one file over another."""
