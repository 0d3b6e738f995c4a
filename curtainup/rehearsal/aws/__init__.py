"""The stand-in for AWS: its resource types, its APIs and the containers that run behind them."""
