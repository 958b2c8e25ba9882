#!/bin/sh
# Run one of the three members; ETCD_NAME is also the name that the others reach it by.
set -eu

exec etcd --data-dir=/data/member \
    --listen-client-urls=http://0.0.0.0:2379 --advertise-client-urls="http://$ETCD_NAME:2379" \
    --listen-peer-urls=http://0.0.0.0:2380 --initial-advertise-peer-urls="http://$ETCD_NAME:2380" \
    --initial-cluster=etcd-1=http://etcd-1:2380,etcd-2=http://etcd-2:2380,etcd-3=http://etcd-3:2380
