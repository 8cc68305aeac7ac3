"""`python -m companyos` is the command line, too."""

from companyos.cli import main

main()
