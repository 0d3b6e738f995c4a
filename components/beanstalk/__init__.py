"""The components of an environment on Elastic Beanstalk."""
