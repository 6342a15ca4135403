"""What is true, what it means and what may be done: values in, values out. Standard library only, no I/O, no clock."""
