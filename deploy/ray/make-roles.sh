#!/bin/sh
# Makes the roles of head and workers: both read and write one bucket, and the head starts and ends instances.
#   deploy/ray/make-roles.sh BUCKET
set -eu
bucket=${1:?"usage: deploy/ray/make-roles.sh BUCKET"}
account=$(aws sts get-caller-identity --query Account --output text)

trust='{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}'
store='{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"],
   "Resource": "arn:aws:s3:::'$bucket'/*"},
  {"Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetBucketLocation"], "Resource": "arn:aws:s3:::'$bucket'"}]}'
# Instances can be ended and tagged only where they are this cluster's.
launch='{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": ["ec2:Describe*", "ec2:RunInstances", "ssm:GetParameters"], "Resource": "*"},
  {"Effect": "Allow", "Action": "ec2:CreateTags", "Resource": "*",
   "Condition": {"StringEquals": {"ec2:CreateAction": "RunInstances"}}},
  {"Effect": "Allow", "Action": ["ec2:TerminateInstances", "ec2:CreateTags"], "Resource": "*",
   "Condition": {"StringEquals": {"ec2:ResourceTag/ray-cluster-name": "stilts"}}},
  {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "arn:aws:iam::'$account':role/stilts-ray-worker"}]}'

role() {
  aws iam create-role --role-name "$1" --assume-role-policy-document "$trust"
  aws iam put-role-policy --role-name "$1" --policy-name store --policy-document "$store"
  aws iam create-instance-profile --instance-profile-name "$1"
  aws iam add-role-to-instance-profile --instance-profile-name "$1" --role-name "$1"
}

role stilts-ray-worker
role stilts-ray-head
aws iam put-role-policy --role-name stilts-ray-head --policy-name launch --policy-document "$launch"
