Finder=Known=find=None
