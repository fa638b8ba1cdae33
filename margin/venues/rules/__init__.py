"""One rulebook a file; its being here, with its parameters beside it, is the registration."""
