//! What a child process has written so far, and waiting for it to write more.

use tokio::{
    io::{AsyncRead, AsyncReadExt},
    sync::watch,
    task::AbortHandle,
};

/// One output of a process, collected from its start.
#[derive(Clone, Debug)]
pub struct Output {
    text: watch::Receiver<String>,
    reader: AbortHandle,
}

impl Output {
    /// Reads the pipe to its end, in a task of its own.
    pub fn collect(mut pipe: impl AsyncRead + Send + Unpin + 'static) -> Self {
        let (sender, receiver) = watch::channel(String::new());
        let reader = tokio::spawn(async move {
            let mut bytes = Vec::new();
            while pipe.read_buf(&mut bytes).await.is_ok_and(|read| read > 0) {
                // A character may be cut in two by the pipe: all of it is read again each time.
                sender.send_replace(String::from_utf8_lossy(&bytes).into_owned());
            }
        });
        Self { text: receiver, reader: reader.abort_handle() }
    }

    /// Reads no more, as a reader that has died: whoever writes on finds the pipe broken.
    pub fn hang_up(&self) {
        self.reader.abort();
    }

    /// All that has come until now.
    pub fn text(&self) -> String {
        self.text.borrow().clone()
    }

    /// All of it, once the process has closed it.
    pub async fn whole(&self) -> String {
        self.find(|_| None::<()>).await;
        self.text()
    }

    /// Waits until `wanted` finds something in the text; `None` if the output ends before.
    pub async fn find<T>(&self, wanted: impl Fn(&str) -> Option<T>) -> Option<T> {
        let mut receiver = self.text.clone();
        let text = receiver.wait_for(|text| wanted(text).is_some()).await.ok()?;
        wanted(&text)
    }
}
