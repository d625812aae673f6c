//! `serve`: arguments and printing.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use super::output::{Output, warn};
use crate::error::Result;
use crate::server::{Limits, ServeArguments, ServedStudy, Server, serve};

/// Arguments of `serve`.
#[derive(Debug, Args)]
pub struct Serve {
    /// Study folders; each of several has a path by its name in study.toml, such as /NAME/, and a
    /// token of its own
    #[arg(required = true)]
    study: Vec<PathBuf>,
    /// Answers database, made if it does not exist; with several studies a folder, in which each
    /// has NAME.sqlite
    #[arg(long, value_name = "PATH")]
    database: PathBuf,
    /// Address to listen on; anything but loopback lets others reach the studies
    #[arg(long, default_value = "127.0.0.1:8080")]
    address: SocketAddr,
}

impl Serve {
    pub(super) fn run(&self, output: Output) -> Result<()> {
        let arguments = ServeArguments {
            studies: self.study.clone(),
            database: self.database.clone(),
            address: self.address,
            limits: Limits::default(),
        };
        serve(arguments, |server| {
            warn(&server.warnings);
            match &server.studies[..] {
                [alone] => {
                    output.show(&addresses(server, alone), || lines(server, alone).join("\n"));
                }
                several => {
                    let all = several.iter().map(|study| {
                        let mut printed = addresses(server, study);
                        printed["name"] = study.name.clone().into();
                        printed
                    });
                    let printed = serde_json::json!({ "studies": all.collect::<Vec<_>>() });
                    output.show(&printed, || {
                        let text = |study: &ServedStudy| {
                            let lines = lines(server, study).map(|line| format!("  {line}\n"));
                            format!("{}\n{}", study.name, lines.concat())
                        };
                        several.iter().map(text).collect()
                    });
                }
            }
        })
    }
}

fn addresses(server: &Server, study: &ServedStudy) -> serde_json::Value {
    let address = format!("http://{}{}", server.address, study.path);
    serde_json::json!({
        "participants": address,
        "experimenter": format!("{address}admin"),
        "token": study.admin_token,
    })
}

fn lines(server: &Server, study: &ServedStudy) -> [String; 3] {
    let (address, path, token) = (server.address, &study.path, &study.admin_token);
    [
        format!("participants  http://{address}{path}"),
        format!("experimenter  http://{address}{path}admin"),
        format!("token         {token}"),
    ]
}
