"""The stand-in for Elastic Beanstalk."""
