"""How the embedded encoder is made: for developers, never needed at run time. See README.md."""
