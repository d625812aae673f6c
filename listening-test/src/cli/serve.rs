//! `serve`: arguments and printing.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use super::output::{Output, warn};
use crate::error::Result;
use crate::server::{Limits, ServeArguments, serve};

/// Arguments of `serve`.
#[derive(Debug, Args)]
pub struct Serve {
    /// Study folder
    study: PathBuf,
    /// Answers database; made if it does not exist
    #[arg(long, value_name = "FILE")]
    database: PathBuf,
    /// Address to listen on; anything but loopback lets others reach the study
    #[arg(long, default_value = "127.0.0.1:8080")]
    address: SocketAddr,
}

impl Serve {
    pub(super) fn run(&self, output: Output) -> Result<()> {
        let arguments = ServeArguments {
            study: self.study.clone(),
            database: self.database.clone(),
            address: self.address,
            limits: Limits::default(),
        };
        serve(arguments, |server| {
            warn(&server.warnings);
            let (address, token) = (server.address, &server.admin_token);
            let printed = serde_json::json!({
                "participants": format!("http://{address}/"),
                "experimenter": format!("http://{address}/admin"),
                "token": token,
            });
            output.show(&printed, || {
                format!(
                    "participants  http://{address}/\nexperimenter  http://{address}/admin\n\
                     token         {token}"
                )
            });
        })
    }
}
