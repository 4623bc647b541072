"""Databases of the bench, made empty."""

import psycopg
from psycopg import sql


def replace_database(url: str) -> None:
    """Drops the database of that URL, if there is one, and makes it anew."""
    server, name = url.rsplit("/", 1)
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
