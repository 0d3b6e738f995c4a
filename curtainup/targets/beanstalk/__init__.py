"""AWS Elastic Beanstalk as a target."""
