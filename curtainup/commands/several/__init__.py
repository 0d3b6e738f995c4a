"""Several services of one repository, deployed by one command."""
