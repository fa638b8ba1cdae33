"""`python -m tests mutants`: small faults put into the engine and the loaders, one at a time; do the tests see them?"""
