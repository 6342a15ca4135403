"""How screens open each other without importing each other: routes, and the registry of the screens behind them."""
