"""Where the records of authorizations are kept."""
