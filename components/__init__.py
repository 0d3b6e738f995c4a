"""The component resources that the program is made of."""
