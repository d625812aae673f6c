# Repeats the mixed models of report.html with lme4, from the tables beside this file:
#   apt install r-cran-lme4; Rscript analysis.R
# Rows with a reason in column `excluded` are out; catch items, preferences and ratings are not
# scored. "Don't know" counts as wrong here, because glmer rounds a credit of 1/k to 0; where
# the plan counts it as a guess and somebody said it, the headline is another number.
library(lme4)

# cells that a spreadsheet would have run as a formula have a leading '
read <- function(name) {
  table <- read.csv(name, na.strings = "", colClasses = "character", encoding = "UTF-8")
  table[] <- lapply(table, function(cell) sub("^'", "", cell))
  table
}
answers <- read("answers.csv")
conditions <- read("conditions.csv")
ours <- c("wrong_accuracy", "wrong_participant_sd", "wrong_item_sd")
conditions[ours] <- lapply(conditions[ours], as.numeric)

# accuracy of the average listener on the average item, of a model on the logit scale
marginal <- function(intercept, sd) {
  if (sd == 0) return(plogis(intercept))
  integrate(function(z) plogis(intercept + sd * z) * dnorm(z), -10, 10, rel.tol = 1e-10)$value
}

rows <- lapply(seq_len(nrow(conditions)), function(place) {
  condition <- conditions[place, ]
  own <- answers[is.na(answers$excluded) & answers$medium == condition$medium &
    answers$block == condition$block & answers$condition == condition$condition, ]
  own$hit <- as.numeric(!is.na(own$answer) & own$answer == own$truth)
  lme4 <- c(NA, NA, NA)
  # answers that are all alike have no maximum of the likelihood
  if (length(unique(own$hit)) == 2) {
    model <- glmer(hit ~ 1 + (1 | participant) + (1 | item), own, binomial,
      control = glmerControl(optimizer = "bobyqa", tolPwrss = 1e-10))
    sd <- c(attr(VarCorr(model)$participant, "stddev"), attr(VarCorr(model)$item, "stddev"))
    lme4 <- c(marginal(unname(fixef(model)), sqrt(sum(sd^2))), sd)
  }
  data.frame(
    block = condition$block, condition = condition$condition, answers = nrow(own),
    hits = sum(own$hit), accuracy_lme4 = lme4[1], accuracy_trompe = condition$wrong_accuracy,
    participant_sd_lme4 = lme4[2], participant_sd_trompe = condition$wrong_participant_sd,
    item_sd_lme4 = lme4[3], item_sd_trompe = condition$wrong_item_sd
  )
})
result <- do.call(rbind, rows)
print(result, digits = 4, row.names = FALSE)
write.csv(result, "analysis-lme4.csv", row.names = FALSE)
