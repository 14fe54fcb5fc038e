"""What the shops hold beside their orders, derived from the orders so that everything agrees."""
