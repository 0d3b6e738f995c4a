"""The smoke suite. It is a package so that its module name never clashes with a module of the service."""
