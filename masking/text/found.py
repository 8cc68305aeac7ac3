Found=None
