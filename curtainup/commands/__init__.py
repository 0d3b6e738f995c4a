"""What each command does; the command line only asks and prints."""
