"""Single sign-on by OpenID Connect, beside local accounts. A provider only vouches for who somebody is; which user that is here a
registrar decides, and what the user may do stands here alone.
"""
