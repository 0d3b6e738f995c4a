"""The driver's own calls to Docker, HAProxy and the clouds. Only a module that needs an SDK imports it."""
