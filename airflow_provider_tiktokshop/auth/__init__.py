"""Keeps authorizations alive: records, rotation, escrow, stores."""
