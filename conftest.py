"""What every test of this repository shares."""

pytest_plugins = ["pytester"]
