#!/bin/sh
# What the lab's network is made of: links, and rules between them.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

PATH=$PATH:/usr/sbin:/sbin # where these lie, not on every user's path
have ip || install_packages "the lab's network" iproute2
have nft || install_packages "the lab's faults" nftables
