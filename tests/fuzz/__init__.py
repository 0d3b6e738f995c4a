"""Whatever others have written: every parser gives a value, or an error that says what is wrong.

`make test` tries 100 inputs for each, and `make fuzz` 10,000.
"""
