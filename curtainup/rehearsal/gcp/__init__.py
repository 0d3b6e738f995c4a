"""The stand-in for Google Cloud: its resource types, its APIs and the containers that run behind them."""
