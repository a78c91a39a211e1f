"""x"""
def show(study, store, uri):
    pass
