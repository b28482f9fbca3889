"""What the command line can do: a file per command, each with ``add(commands)``.

Nothing heavy is loaded here: a command imports what it needs when it is carried out.
"""
