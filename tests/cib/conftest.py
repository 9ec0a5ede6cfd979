from hypothesis import settings

# A shared, noisy machine must not fail a property for being slow.
settings.register_profile("cib", deadline=None)
settings.load_profile("cib")
