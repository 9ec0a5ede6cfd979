"""What a CIB is: document, canonical values, rules, patches. Pure."""
