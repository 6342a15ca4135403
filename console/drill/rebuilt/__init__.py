"""A captured cluster, rebuilt: its machines, what runs on them, and the order in which it comes up."""
