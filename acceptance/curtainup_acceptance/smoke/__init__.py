"""The smoke suite; a package, so that its module's name clashes with none of the service's."""
