-- What predictions and patterns say in words, each wording once, with a tab in place of each number. A column that holds
-- such a text begins with a tab and the text's number, and the numbers follow, each after a tab; one that begins with
-- two tabs is the text after them as it is, and any other is a text as it is.

CREATE TABLE texts (
    text_id INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE
) STRICT;
