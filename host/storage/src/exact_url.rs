//! URLs of the web as they are given: what follows a question mark is often what opens them.

use async_trait::async_trait;
use http::Uri;
use object_store::{
    ClientOptions,
    client::{HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpService},
};

/// Sends every request to one URL, over connections that are shared.
#[derive(Clone, Debug)]
pub(crate) struct ExactUrl {
    pub(crate) client: HttpClient,
    pub(crate) url: Uri,
}

impl HttpConnector for ExactUrl {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for ExactUrl {
    async fn call(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        request.uri_mut().clone_from(&self.url);
        self.client.execute(request).await
    }
}
