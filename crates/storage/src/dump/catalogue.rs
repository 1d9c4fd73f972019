//! What a table consists of, as the database itself tells it, and the statements that follow from
//! that.

use diesel::QueryableByName;
use diesel::sql_types::Text;

/// A column of a table.
#[derive(QueryableByName)]
pub(crate) struct Column {
    #[diesel(sql_type = Text)]
    pub(crate) name: String,
    /// Its type, in the words of the database.
    #[diesel(sql_type = Text)]
    kind: String,
}

/// How one of the databases says it.
#[derive(Clone, Copy)]
pub(crate) enum Dialect {
    Postgres,
    Sqlite,
}

impl Dialect {
    /// Asks for the columns of a table.
    pub(crate) fn columns(self, table: &str) -> String {
        match self {
            Self::Postgres => format!(
                "SELECT column_name::text AS name, data_type::text AS kind
                 FROM information_schema.columns
                 WHERE table_schema = current_schema() AND table_name = '{table}'
                 ORDER BY ordinal_position"
            ),
            Self::Sqlite => {
                format!("SELECT name, type AS kind FROM pragma_table_info('{table}') ORDER BY cid")
            }
        }
    }

    /// Reads the rows of a table, each as one line of JSON.
    pub(super) fn select(self, table: &str, columns: &[Column]) -> String {
        let values: Vec<String> = columns.iter().map(|column| self.value_of(column)).collect();
        let values = values.join(", ");
        match self {
            Self::Postgres => {
                format!("SELECT json_build_array({values})::text AS line FROM {table}")
            }
            Self::Sqlite => format!("SELECT json_array({values}) AS line FROM {table}"),
        }
    }

    /// Inserts rows, which come as one parameter: a JSON array of them.
    pub(crate) fn insert(self, table: &str, columns: &[&Column]) -> String {
        let names: Vec<String> = columns.iter().map(|column| quoted(&column.name)).collect();
        let values: Vec<String> =
            columns.iter().enumerate().map(|(at, column)| self.value_at(at, column)).collect();
        let rows = match self {
            Self::Postgres => "json_array_elements($1::json)",
            Self::Sqlite => "json_each(?)",
        };
        let (names, values) = (names.join(", "), values.join(", "));
        format!("INSERT INTO {table} ({names}) SELECT {values} FROM {rows}")
    }

    fn value_of(self, column: &Column) -> String {
        let name = quoted(&column.name);
        match (self, column.kind.as_str()) {
            (Self::Postgres, "bytea") => format!("encode({name}, 'hex')"),
            // Of nothing, `hex` makes an empty text.
            (Self::Sqlite, "BLOB") => format!("iif({name} IS NULL, NULL, lower(hex({name})))"),
            _ => name,
        }
    }

    fn value_at(self, at: usize, column: &Column) -> String {
        match (self, column.kind.as_str()) {
            (Self::Postgres, "bytea") => format!("decode(value ->> {at}, 'hex')"),
            (Self::Postgres, kind) => format!("(value ->> {at})::{kind}"),
            (Self::Sqlite, "BLOB") => format!("unhex(value ->> {at})"),
            (Self::Sqlite, _) => format!("value ->> {at}"),
        }
    }
}

/// Names are those of a schema, and have no quotes in them.
fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}
