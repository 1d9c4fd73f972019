//! Swagger UI, as somebody in front of it uses it.

use std::collections::BTreeSet;

use thirtyfour::{By, WebDriver, WebElement, prelude::*};

/// The page, loaded.
pub struct Explorer<'b> {
    page: &'b WebDriver,
}

/// A security scheme, by the field of the dialogue that takes its value.
#[derive(Clone, Copy)]
pub struct Scheme {
    field: &'static str,
}

/// `X-API-Key`.
pub const HEADER: Scheme = Scheme { field: "#api_key_value" };
/// `Authorization: Bearer`.
pub const BEARER: Scheme = Scheme { field: "#auth-bearer-value" };

impl<'b> Explorer<'b> {
    /// Opens the page and waits until it shows the document.
    pub async fn open(page: &'b WebDriver, server: &str) -> Self {
        page.goto(format!("{server}/swagger-ui/")).await.unwrap();
        let explorer = Self { page };
        explorer.find(".opblock").await;
        explorer
    }

    /// The name of every operation that is listed.
    pub async fn operations(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for block in self.page.find_all(By::Css(".opblock")).await.unwrap() {
            names.insert(block.id().await.unwrap().unwrap());
        }
        names
    }

    /// The address of everything that the page has loaded.
    pub async fn loaded(&self) -> Vec<String> {
        let script = "return performance.getEntriesByType('resource').map(entry => entry.name)";
        let loaded: Vec<String> =
            self.page.execute(script, vec![]).await.unwrap().convert().unwrap();
        assert!(loaded.iter().any(|address| address.ends_with("/openapi.json")), "{loaded:?}");
        loaded
    }

    /// Opens an operation and returns its block.
    pub async fn expand(&self, tag: &str, operation: &str) -> WebElement {
        let id = operation_id(tag, operation);
        self.find(&format!("#{id} .opblock-summary-control")).await.click().await.unwrap();
        self.find(&format!("#{id}")).await
    }

    /// Executes an operation and returns the status of the answer.
    pub async fn execute(&self, operation: &WebElement) -> String {
        click(operation, ".execute").await;
        let shown = first(operation, ".live-responses-table .response .response-col_status").await;
        let status = shown.text().await.unwrap();
        click(operation, ".btn-clear").await;
        shown.wait_until().stale().await.unwrap();
        status
    }

    /// Gives the key to a scheme.
    pub async fn authorize(&self, scheme: Scheme, key: &str) {
        let form = self.dialogue(scheme).await;
        first(&form, scheme.field).await.send_keys(key).await.unwrap();
        click(&form, "button.authorize").await;
        self.close_dialogue().await;
    }

    /// Takes the key from a scheme.
    pub async fn log_out(&self, scheme: Scheme) {
        let form = self.dialogue(scheme).await;
        click(&form, "button.auth:not(.authorize):not(.btn-done)").await;
        first(&form, scheme.field).await;
        self.close_dialogue().await;
    }

    /// Opens the dialogue and returns the form of a scheme.
    async fn dialogue(&self, scheme: Scheme) -> WebElement {
        self.find(".auth-wrapper > .authorize").await.click().await.unwrap();
        // The field is not there while a key is given: the form is found by its place.
        let place = if scheme.field == HEADER.field { 1 } else { 2 };
        self.find(&format!(".auth-container:nth-child({place})")).await
    }

    async fn close_dialogue(&self) {
        let done = self.find(".modal-ux .btn-done").await;
        done.click().await.unwrap();
        done.wait_until().stale().await.unwrap();
    }

    async fn find(&self, css: &str) -> WebElement {
        self.page.query(By::Css(css)).first().await.unwrap()
    }
}

/// What Swagger UI names the block of an operation.
pub fn operation_id(tag: &str, operation: &str) -> String {
    format!("operations-{tag}-{operation}")
}

async fn first(element: &WebElement, css: &str) -> WebElement {
    element.query(By::Css(css)).first().await.unwrap()
}

async fn click(element: &WebElement, css: &str) {
    first(element, css).await.click().await.unwrap();
}
