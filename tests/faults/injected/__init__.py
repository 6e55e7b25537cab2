"""Faults that are injected into the library's work on files: a layer below it, trials in forked processes, and what
must hold after each.

`layer` builds and arms the layer, `warm` forks a process for each trial, `material` makes the inputs, `scenarios` says
what is done with them, `same` compares results, `changes` and `bombs` spoil files, and `kills`, `errors`, `flips`,
`mutations`, `limits` and `together` are the ways of doing harm.
"""
