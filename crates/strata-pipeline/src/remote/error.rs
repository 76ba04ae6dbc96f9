//! Why a remote cannot do what it is asked for.

use std::io;

use thiserror::Error;

/// Why a remote cannot do what it is asked for. No message ever has a key, a token or a signature in it.
#[derive(Debug, Error)]
pub enum RemoteError {
    /// There is no such object.
    #[error("{address} does not exist")]
    Missing {
        /// The object.
        address: String,
    },
    /// The server said no.
    #[error(
        "{address}: the server answered {status}{}{}{}",
        part(" ", code),
        part(": ", message),
        hint_for(code, message)
    )]
    Refused {
        /// What was asked for.
        address: String,
        /// HTTP status.
        status: u16,
        /// The store's name for it, such as `AccessDenied`; may be empty.
        code: String,
        /// The store's words; may be empty.
        message: String,
    },
    /// No answer, or half of one.
    #[error("{address}: {problem}")]
    Connection {
        /// What was asked for.
        address: String,
        /// What the network said.
        problem: String,
    },
    /// Contents that are not what their name says.
    #[error("{address} is damaged: the MD5 of its contents is {found}; it was not {verb}")]
    Damaged {
        /// The object, or the file.
        address: String,
        /// What was found.
        found: String,
        /// `kept` or `sent`.
        verb: &'static str,
    },
    /// The user stopped it.
    #[error("interrupted by the user")]
    Interrupted,
    /// Too many failures in a row.
    #[error("not tried, after so many failures in a row")]
    GivenUp,
    /// The file system says no.
    #[error(transparent)]
    Disk(#[from] io::Error),
}

fn part(before: &str, text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!("{before}{text}")
    }
}

fn hint_for(code: &str, message: &str) -> String {
    let hint = match code {
        "NoSuchBucket" => "there is no such bucket; look at `url` and `endpointurl` of the remote",
        "AccessDenied" if message.to_lowercase().contains("expired") => CLOCK,
        "AccessDenied" | "Forbidden" | "AllAccessDisabled" => {
            "the credentials may not do this, or belong to somebody else; look at `profile` or `access_key_id` of the remote, and \
             the AWS_… variables"
        }
        "SignatureDoesNotMatch" => {
            "`secret_access_key` does not fit `access_key_id`, or `region` or `endpointurl` are not the server's"
        }
        "InvalidAccessKeyId" => "the server does not know `access_key_id`",
        "ExpiredToken" | "TokenRefreshRequired" | "InvalidToken" => {
            "the session has ended; get new temporary credentials"
        }
        "RequestTimeTooSkewed" | "RequestExpired" => CLOCK,
        "AuthorizationHeaderMalformed"
        | "PermanentRedirect"
        | "AuthorizationQueryParametersError" => "`region` of the remote is not the bucket's",
        _ => return String::new(),
    };
    format!("\n  hint: {hint}")
}

const CLOCK: &str = "the clock of this machine and the server's differ; set the clock";

/// The text of an element of the XML of an error, such as `Code`; empty where there is none.
pub fn code_of(xml: &str, element: &str) -> String {
    let (open, close) = (format!("<{element}>"), format!("</{element}>"));
    let found = xml
        .split_once(&open)
        .and_then(|(_, rest)| rest.split_once(&close));
    let text = found.map_or("", |(text, _)| text);
    let text = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"");
    let text = text.replace("&apos;", "'").replace("&amp;", "&");
    text.chars().filter(|c| !c.is_control()).take(500).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_say_what_may_be_done() {
        let xml = "<?xml?><Error><Code>NoSuchBucket</Code><Message>It &quot;is&quot; not there</Message></Error>";
        let error = RemoteError::Refused {
            address: "s3://b/k".to_owned(),
            status: 404,
            code: code_of(xml, "Code"),
            message: code_of(xml, "Message"),
        };
        let expected = "s3://b/k: the server answered 404 NoSuchBucket: It \"is\" not there\n  hint: there is no such bucket; \
                        look at `url` and `endpointurl` of the remote";
        assert_eq!(error.to_string(), expected);
    }
}
