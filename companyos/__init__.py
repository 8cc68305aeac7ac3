"""The faces of CompanyOS data: the command line. No logic of its own; every command is a call into one of the rooms."""

__version__ = "0.1.0"
