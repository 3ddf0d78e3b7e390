"""`python -m streammem`: the command line."""

from streammem.app.cli import main

if __name__ == "__main__":
    main()
