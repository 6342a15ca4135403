"""`runs replay`: brings kept keys back."""
